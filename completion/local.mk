# SPDX-License-Identifier: GPL-2.0-or-later
# For the shells; each asks idxdctl what there is.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/vendor-completions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_zshcompletion_DATA = completion/_idxdctl
dist_fishcompletion_DATA = completion/idxdctl.fish
EXTRA_DIST += completion/idxdctl.bash

# bash looks for the name of the command.
install-data-local: install-bash-completion
install-bash-completion:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(top_srcdir)/completion/idxdctl.bash '$(DESTDIR)$(bashcompletiondir)/idxdctl'
uninstall-local: uninstall-bash-completion
uninstall-bash-completion:
	rm -f '$(DESTDIR)$(bashcompletiondir)/idxdctl'
.PHONY: install-bash-completion uninstall-bash-completion
