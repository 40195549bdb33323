"""What a turn costs beside a bare aiohttp handler, and what it costs once much is stored: `make bench`.

Figures of one machine say little; the ratios are taken in one run, on the same cores, and are what to compare.
Linux only: memory is read from /proc. All of it stays on loopback and ends with the run.
"""
