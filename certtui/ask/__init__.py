"""What both wizards ask and say: the questions, their answers, what each means on this host."""
