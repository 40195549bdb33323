"""One module or package a platform; nothing is shared between them but kit."""
