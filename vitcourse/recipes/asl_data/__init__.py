"""What lesson 09 has recorded of the real photos."""
