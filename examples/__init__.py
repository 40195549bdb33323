"""Systems of a shop that the sample configuration works with. The hub itself needs none of them."""
