"""The border between the grader and a student's code: a child process, pipes, plain data."""
