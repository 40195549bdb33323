"""What replicas agree on."""
