"""What a type checker says of the async client."""
