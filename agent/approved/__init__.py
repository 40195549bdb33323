"""Answers that people approved for questions, and what is done with a question that is only like one of them."""
