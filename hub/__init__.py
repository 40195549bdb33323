"""The ground: the words every room shares, and the path one message takes."""
