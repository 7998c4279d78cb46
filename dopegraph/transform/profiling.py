def profile_graph(*a): raise NotImplementedError
