"""Language models behind one port: messages and tools in, words and tool calls out."""
