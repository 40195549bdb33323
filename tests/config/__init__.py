"""What the operator decides, and how it is refused."""
