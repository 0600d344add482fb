"""How boundaries and shares scale: leading orders, local exponents, Zipf frequencies, many classes."""
