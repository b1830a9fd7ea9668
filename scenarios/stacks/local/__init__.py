"""The local stack: processes of this user on 127.0.0.1."""
