# kahn-look: a few numbers of a Windows machine, in the lines that look.sh writes. It changes nothing.
$ErrorActionPreference = 'Stop'
$who = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
$admin = $who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
$disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='$env:SystemDrive'"
$epoch = New-Object DateTime -ArgumentList 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
'kahn-look 1'
'become {0}' -f [int]$admin
'time {0}' -f [long][Math]::Floor(([DateTime]::UtcNow - $epoch).TotalSeconds)
'root rw'
'free_kib {0}' -f [long][Math]::Floor($disk.FreeSpace / 1024)
'cores {0}' -f [Environment]::ProcessorCount
