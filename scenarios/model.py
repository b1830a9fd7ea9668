"""What is sent: one model, always the same."""

import json

PATH = "/models"
BODY = json.dumps(
    {
        "name": "Starship Enterprise",
        "pieces": 1599,
        "theme": "Sci-Fi",
        "difficulty": "easy",
        "price_us": 199.99,
        "year": 2001,
    }
).encode()
