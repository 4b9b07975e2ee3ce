"""Facts -> reminder deliveries, or a recorded reason why not. Must not know: how an email looks or leaves."""
