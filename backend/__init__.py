"""The system under test: a small FastAPI service that creates LEGO models and names the replica that answered."""
