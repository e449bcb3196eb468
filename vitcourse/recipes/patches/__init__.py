"""What lesson 05 trains and has recorded."""
