"""What lesson 08 trains and has recorded."""
