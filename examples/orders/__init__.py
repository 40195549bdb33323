"""A small order system, so that tools can be tried: `python -m examples.orders`.

SQLite behind HTTP. Whoever is asked about for the first time is given the same few sample orders, so that everybody
who tries the hub has something to ask about; from then on their orders are theirs. The hub says who asks; nothing else
keeps one customer's orders from another, so it listens on this machine only.
"""
