"""Section 2 of the course: cooperative learning, from value decomposition to central critics."""
