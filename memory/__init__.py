"""What is remembered, and of whom."""
