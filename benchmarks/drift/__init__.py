"""Made-up streams whose true changes are known, and what detectors and learner make of them."""
