"""Section 3 of the course: policy gradients, from returns and advantages to PPO, TRPO and SAC."""
