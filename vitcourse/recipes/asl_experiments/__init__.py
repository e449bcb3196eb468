"""What the lesson on experiments reads: many short trainings on rendered signs."""
