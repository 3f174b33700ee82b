"""Study: questions asked of models, and the page that shows the answers."""
