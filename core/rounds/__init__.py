"""The verbs of a round: one file, one public function, from ids to a record."""
