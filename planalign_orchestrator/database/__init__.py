"""The simulation's file: who may write it, how it is opened, what it says of itself."""
