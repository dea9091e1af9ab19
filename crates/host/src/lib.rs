//! A Linux node, observed and changed: the narrow traits at the edge and the real things behind them.
