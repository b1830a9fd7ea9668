"""What is asked of a balancer: scenarios, the claim they test, the stacks they run on, and the runner."""
