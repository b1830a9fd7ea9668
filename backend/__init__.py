"""The system under test: a small FastAPI service that creates LEGO models and says which replica answered."""
