"""What lesson 06 trains and has recorded."""
