"""What is sent: one model, always the same. And what a good answer to it is."""

import json
from http import HTTPStatus

PATH = "/models"
CREATED = int(HTTPStatus.CREATED)
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
