/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Super blocks, as the guard meets them: mount, freeze, unmount. fs/super.c.
 */

/*
 * deactivate_super(). s_active comes to 0 under s_umount only, which is held
 * until all inodes are out of core: by i, from the first file to the last.
 */
inline deactivate(b)
{
	if
	:: atomic { s_active[b] > 1 -> s_active[b]-- }
	:: s_active[b] == 1 ->
		down_write(S_UMOUNT(b));
		atomic {
			NEVER(use_after_free, s_active[b] == 0);
			s_active[b]--;
			if
			:: s_active[b] > 0 -> up_write(S_UMOUNT(b)); i = FILES
			:: else -> i = 0
			fi
		};
		/* generic_shutdown_super() */
		do
		:: i < FILES && SB(i) == b && in_core[i] != ABSENT ->
			atomic {
				/* Busy inodes after unmount. */
				NEVER(use_after_free, in_core[i] == FREEING || refs[i] > 0);
				in_core[i] = FREEING
			};
			evict(i);
			atomic {
				i++;
				if
				:: i == FILES -> sb_state[b] = DYING; up_write(S_UMOUNT(b))
				:: else
				fi
			}
		:: atomic {
			i < FILES && (SB(i) != b || in_core[i] == ABSENT) ->
			i++;
			if
			:: i == FILES -> sb_state[b] = DYING; up_write(S_UMOUNT(b))
			:: else
			fi
		   }
		:: i == FILES -> i = 0; break
		od
	fi
}

/* umount(2) of a filesystem that nobody uses. */
proctype unmount(byte b)
{
	byte i;

end_in_use:
	atomic { HAS(mounted, b) && users[b] == 0 -> DEL(mounted, b) };
	deactivate(b);
	umounted = 1
}

#ifdef FREEZE
/* fsfreeze(8): an active reference, and s_umount in the beginning and in the end. */
proctype freeze()
{
	byte i;

end_idle:
	down_write(S_UMOUNT(0));
	if
	:: atomic { sb_state[0] == BORN -> frozen = 1; s_active[0]++; up_write(S_UMOUNT(0)) };
	   down_write(S_UMOUNT(0));
	   atomic { frozen = 0; up_write(S_UMOUNT(0)) };
	   deactivate(0)
	:: atomic { sb_state[0] != BORN -> up_write(S_UMOUNT(0)) }
	fi
}
#endif

#ifdef DO_MOUNT
/* mount(2): the super block is in the list before it is born. */
proctype mount(byte b)
{
end_never:
	atomic { sb_state[b] = UNBORN; down_write(S_UMOUNT(b)) };
	atomic { sb_state[b] = BORN; s_active[b] = 1; ADD(mounted, b); up_write(S_UMOUNT(b)) }
}
#endif
