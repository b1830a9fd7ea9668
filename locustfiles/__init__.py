"""How a balancer is driven: Locust shapes, the user, the exact budget and the client's ledger."""
