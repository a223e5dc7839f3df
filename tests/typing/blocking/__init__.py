"""What a type checker says of the blocking client; generated from the async one."""
