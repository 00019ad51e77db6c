"""What a recommendation is made from: view, weights, item states."""
