"""One agent for every channel: engines, tools and the knowledge they answer from."""
