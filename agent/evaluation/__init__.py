"""How well a configuration answers: questions with what a right answer holds, asked as people ask, and counted."""
