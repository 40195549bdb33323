"""Storage, people and what is known of them."""
