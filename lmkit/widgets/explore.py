def explore_attention(*a): raise NotImplementedError
