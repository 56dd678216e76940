"""What is checked between keys that are right by themselves, and what the law asks of them."""
