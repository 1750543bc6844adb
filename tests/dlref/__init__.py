"""What proves dlref. Run: pytest tests/dlref."""
