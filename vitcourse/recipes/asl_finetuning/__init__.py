"""What lesson 10 has recorded: the course's weights, the trainings from several starts, and the tables of results."""
