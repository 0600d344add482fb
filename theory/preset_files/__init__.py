"""Named settings: one TOML file each, whose first line says what it stands for."""
