"""The recorded runs of lesson 12."""
