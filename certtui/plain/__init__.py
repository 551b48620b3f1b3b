"""The wizard as numbered questions, for terminals that can show no pages."""
