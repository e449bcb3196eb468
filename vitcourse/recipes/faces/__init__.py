"""The recorded runs of lesson 12, and the models that it trains."""
