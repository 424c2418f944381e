"""Which system calls a python grader may not make.

A row has the call's number on x86-64 and on 64-bit Arm, `None` where there is none: Linux's `asm/unistd_64.h` and
`asm-generic/unistd.h`, of version 6.
"""

from __future__ import annotations

from collections.abc import Mapping

Numbers = tuple[int | None, int | None]

ARCHITECTURES: Mapping[str, tuple[int, int]] = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""By `platform.machine()`: the name in a filter (`linux/audit.h`), and the column in the rows here."""

CLONE, CLONE3 = (56, 220), (435, 435)
OWN_PROCESS_ONLY: tuple[Numbers, ...] = ((62, 129), (234, 131), (302, 261))
"""kill, tgkill and prlimit64."""

DENIED: tuple[Numbers, ...] = (
    # sockets, also by rings of requests
    (41, 198),  # socket
    (425, 425),  # io_uring_setup
    # other programs and processes
    (57, None),  # fork
    (58, None),  # vfork
    (59, 221),  # execve
    (322, 281),  # execveat
    (101, 117),  # ptrace
    (310, 270),  # process_vm_readv
    (311, 271),  # process_vm_writev
    (440, 440),  # process_madvise
    (434, 434),  # pidfd_open
    (424, 424),  # pidfd_send_signal
    (438, 438),  # pidfd_getfd
    (200, 130),  # tkill
    (129, 138),  # rt_sigqueueinfo
    (297, 240),  # rt_tgsigqueueinfo
    (141, 140),  # setpriority
    (251, 30),  # ioprio_set
    (203, 122),  # sched_setaffinity
    (144, 119),  # sched_setscheduler
    (314, 274),  # sched_setattr
    (142, 118),  # sched_setparam
    (312, 272),  # kcmp
    (323, 282),  # userfaultfd
    (298, 241),  # perf_event_open
    (321, 280),  # bpf
    # memory and queues that no limit counts
    (319, 279),  # memfd_create
    (29, 194),  # shmget
    (64, 190),  # semget
    (68, 186),  # msgget
    (240, 180),  # mq_open
    # what Landlock leaves open: owners, modes, times and attributes of files
    (90, None),  # chmod
    (91, 52),  # fchmod
    (268, 53),  # fchmodat
    (452, 452),  # fchmodat2
    (92, None),  # chown
    (94, None),  # lchown
    (93, 55),  # fchown
    (260, 54),  # fchownat
    (132, None),  # utime
    (235, None),  # utimes
    (261, None),  # futimesat
    (280, 88),  # utimensat
    (188, 5),  # setxattr
    (189, 6),  # lsetxattr
    (190, 7),  # fsetxattr
    (197, 14),  # removexattr
    (198, 15),  # lremovexattr
    (199, 16),  # fremovexattr
    (303, 264),  # name_to_handle_at
    (304, 265),  # open_by_handle_at
    (133, None),  # mknod
    (259, 33),  # mknodat
    # the machine, as root
    (165, 40),  # mount
    (166, 39),  # umount2
    (155, 41),  # pivot_root
    (161, 51),  # chroot
    (428, 428),  # open_tree
    (429, 429),  # move_mount
    (430, 430),  # fsopen
    (431, 431),  # fsconfig
    (432, 432),  # fsmount
    (433, 433),  # fspick
    (442, 442),  # mount_setattr
    (272, 97),  # unshare
    (308, 268),  # setns
    (250, 219),  # keyctl
    (248, 217),  # add_key
    (249, 218),  # request_key
    (169, 142),  # reboot
    (246, 104),  # kexec_load
    (320, 294),  # kexec_file_load
    (175, 105),  # init_module
    (313, 273),  # finit_module
    (176, 106),  # delete_module
    (167, 224),  # swapon
    (168, 225),  # swapoff
    (170, 161),  # sethostname
    (171, 162),  # setdomainname
    (164, 170),  # settimeofday
    (227, 112),  # clock_settime
    (159, 171),  # adjtimex
    (305, 266),  # clock_adjtime
    (179, 60),  # quotactl
    (163, 89),  # acct
    (103, 116),  # syslog
    (172, None),  # iopl
    (173, None),  # ioperm
)
