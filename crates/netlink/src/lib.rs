//! Links, VFs, ethtool and devlink over netlink.
