"""Answers: who or what gives a picked text its label."""
