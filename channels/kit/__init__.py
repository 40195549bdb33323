"""What several platforms need: envelopes, tokens, API calls, XML."""
