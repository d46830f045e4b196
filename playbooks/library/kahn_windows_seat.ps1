#!powershell

# One module for a Windows seat: who is logged on, what lies in the users' folders, saving it to a share, and putting it in
# place on the successor. A server's folders go the same way. Documentation is in kahn_windows_seat.yml. It was never run
# on Windows.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell Ansible.ModuleUtils.KahnShare

$spec = @{
    options = @{
        asset = @{ type = 'str'; required = $true }
        state = @{
            type = 'str'
            required = $true
            choices = @('looked', 'taken', 'ahead', 'told', 'saved', 'forgotten', 'restored', 'compared', 'removed', 'unchanged')
        }
        share = @{ type = 'str' }
        share_user = @{ type = 'str' }
        share_password = @{ type = 'str'; no_log = $true }
        expected = @{ type = 'str' }
        users = @{ type = 'str'; default = 'C:\Users' }
        folders = @{ type = 'dict' }
        limit = @{ type = 'int'; default = 20 }
    }
    supports_check_mode = $false
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
$ErrorActionPreference = 'Stop'
$asset = $module.Params.asset
$users = $module.Params.users.TrimEnd('\')
$folders = $module.Params.folders
$store = Join-Path -Path $env:ProgramData -ChildPath "Kahn\$asset"
$notOfPeople = @('Public', 'Default', 'Default User', 'All Users', 'defaultuser0')
$partName = '\.kahn-part-[0-9a-f]{16}$'
$notCarried = '(^|/)(ntuser\.(dat.*|ini|pol)|usrclass\.dat.*)$|^[^/]+/AppData/Local/(Temp|Packages|Microsoft/Windows)/'

Function Stop-Seat {
    # One failure that people can act on: a cause code, a sentence, and facts.
    param ([string]$Cause, [string]$Says, [hashtable]$Facts = @{})
    $module.Result.kahn = @{ cause = $Cause; says = $Says } + $Facts
    $module.FailJson($Says)
}

Function Get-Digest {
    param ([string]$Path)
    $sha = [Security.Cryptography.SHA256]::Create()
    $stream = New-Object IO.FileStream -ArgumentList (Get-LongPath -Path $Path), 'Open', 'Read', 'Read'
    try { return [BitConverter]::ToString($sha.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() }
    finally { $stream.Dispose(); $sha.Dispose() }
}

Function Get-Here {
    # Where on this machine a file of the list lies: below the users' folder, or below the folder that its first word names.
    param ([string]$Name)
    $tail = $Name.Replace('/', '\')
    if (-not $folders) { return "$users\$tail" }
    $part, $rest = $tail.Split([char[]]'\', 2)
    if (@($folders.Keys) -cnotcontains $part) {
        Stop-Seat -Cause 'manifest_damaged' -Says 'The list of checksums names a folder that is not to be moved.'
    }
    return "$($folders[$part].TrimEnd('\'))\$rest".TrimEnd('\')
}

Function Get-SeatFile {
    # Names of all files that are carried, with slashes, sorted by their code points. Links are not followed.
    $found = New-Object Collections.Generic.List[string]
    $left = New-Object Collections.Generic.Stack[string]
    if ($folders) { foreach ($part in $folders.Keys) { $left.Push($part) } } else { $left.Push('') }
    while ($left.Count) {
        $here = $left.Pop()
        $at = if ($here) { Get-Here -Name $here } else { $users }
        $folder = New-Object IO.DirectoryInfo -ArgumentList (Get-LongPath -Path $at)
        foreach ($one in $folder.GetFileSystemInfos()) {
            if ($one.Attributes -band [IO.FileAttributes]::ReparsePoint) { continue }
            $name = if ($here) { "$here/$($one.Name)" } else { $one.Name }
            if ($one.Attributes -band [IO.FileAttributes]::Directory) {
                if ($here -or $notOfPeople -notcontains $one.Name) { $left.Push($name) }
            }
            elseif ($here -and $name -notmatch $partName -and ($folders -or $name -notmatch $notCarried)) { $found.Add($name) }
        }
    }
    $sorted = $found.ToArray()
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    return , $sorted
}

Function Get-Manifest {
    # One line a file: its SHA-256, two blanks, its name.
    $lines = New-Object Collections.Generic.List[string]
    foreach ($name in (Get-SeatFile)) { $lines.Add("$(Get-Digest -Path (Get-Here -Name $name))  $name") }
    return , $lines.ToArray()
}

Function Read-List {
    # Name -> SHA-256 of lines that are not believed: each name is plain, and none differs from another in capitals only.
    param ([string[]]$Lines)
    $seen = New-Object Collections.Generic.HashSet[string] -ArgumentList ([StringComparer]::OrdinalIgnoreCase)
    $wanted = [ordered]@{}
    foreach ($line in $Lines) {
        if ($line -notmatch '^(?<sum>[0-9a-f]{64})  (?<name>[^\\:*?"<>|\x00-\x1f]+)$' -or
            $Matches.name.Split('/') -contains '..' -or $Matches.name.Split('/') -contains '.' -or
            $Matches.name.Split('/') -contains '') {
            Stop-Seat -Cause 'manifest_damaged' -Says 'The list of checksums names something that is no file of a seat.'
        }
        $name, $sum = $Matches.name, $Matches.sum
        if ($name -match $partName) { Stop-Seat -Cause 'manifest_damaged' -Says 'The list of checksums names a file that is not whole.' }
        if (-not $seen.Add($name)) { Stop-Seat -Cause 'names_collide' -Says "Two files differ in capitals only: $name" }
        $wanted[$name] = $sum
    }
    return $wanted
}

Function Read-Manifest {
    # What a share keeps is not believed: its digest must be the one that the old machine tells.
    param ([string]$Path)
    if (-not [IO.File]::Exists((Get-LongPath -Path $Path))) {
        Stop-Seat -Cause 'manifest_missing' -Says 'The list of checksums is not there.'
    }
    $lines = [IO.File]::ReadAllLines((Get-LongPath -Path $Path), [Text.Encoding]::UTF8)
    if ((Get-TextDigest -Lines $lines) -ne $module.Params.expected) {
        Stop-Seat -Cause 'manifest_damaged' -Says 'The list of checksums is not the one of the old machine.'
    }
    return Read-List -Lines $lines
}

Function Read-Note {
    # Name -> SHA-256 of a list that this machine keeps for itself; empty where there is none.
    param ([string]$Name)
    if (-not [IO.File]::Exists("$store\$Name")) { return [ordered]@{} }
    return Read-List -Lines ([IO.File]::ReadAllLines("$store\$Name", [Text.Encoding]::UTF8))
}

Function Write-Note {
    param ([string]$Name, [Collections.IDictionary]$Of)
    Write-Whole -Path "$store\$Name" -Lines @($Of.Keys | ForEach-Object -Process { "$($Of[$_])  $_" })
}

Function Get-Part {
    # Where a file arrives until it is whole: beside its place, under a name that nobody takes for it.
    param ([string]$Path)
    $told = (Get-TextDigest -Lines @((Split-Path -Path $Path -Leaf))).Substring(0, 16)
    return Join-Path -Path (Split-Path -Path $Path -Parent) -ChildPath ".kahn-part-$told"
}

Function Remove-One {
    param ([string]$Path)
    if (-not [IO.File]::Exists((Get-LongPath -Path $Path))) { return }
    [IO.File]::SetAttributes((Get-LongPath -Path $Path), [IO.FileAttributes]::Normal)
    [IO.File]::Delete((Get-LongPath -Path $Path))
}

Function Copy-Whole {
    # One file, written beside its place and put there by rename once it is whole; whether it has the digest that it must have.
    param ([string]$From, [string]$To, [string]$Sum)
    $new = Get-Part -Path $To
    $null = [IO.Directory]::CreateDirectory((Get-LongPath -Path (Split-Path -Path $To -Parent)))
    Remove-One -Path $new
    [IO.File]::Copy((Get-LongPath -Path $From), (Get-LongPath -Path $new), $true)
    if ((Get-Digest -Path $new) -ne $Sum) {
        Remove-One -Path $new
        return $false
    }
    Remove-One -Path $To
    [IO.File]::Move((Get-LongPath -Path $new), (Get-LongPath -Path $To))
    return $true
}

Function Copy-One {
    # One file under its name; one that is equal is left as it is.
    param ([string]$From, [string]$To, [string]$Sum)
    if ([IO.File]::Exists((Get-LongPath -Path $To)) -and (Get-Digest -Path $To) -eq $Sum) { return }
    if (-not (Copy-Whole -From $From -To $To -Sum $Sum)) {
        Stop-Seat -Cause 'archive_damaged' -Says "What arrived is not what was sent: $To"
    }
    $module.Result.changed = $true
}

Function Get-LoggedOn {
    # How many people have a session with a desktop; their names stay on the machine.
    return @(Get-CimInstance -ClassName Win32_Process -Filter "Name='explorer.exe'").Count
}

Function Get-Portrait {
    # What may not change by a move and its way back: files by size and time, services, shares, tasks, printers. People
    # write to a server's folders until it is stopped, so those are not part of it.
    $lines = New-Object Collections.Generic.List[string]
    $named = if ($folders) { @() } else { Get-SeatFile }
    foreach ($name in $named) {
        $one = New-Object IO.FileInfo -ArgumentList (Get-LongPath -Path (Get-Here -Name $name))
        $lines.Add("file $name $($one.Length) $($one.LastWriteTimeUtc.Ticks)")
    }
    foreach ($one in (Get-CimInstance -ClassName Win32_Service)) { $lines.Add("service $($one.Name) $($one.StartMode)") }
    foreach ($one in (Get-CimInstance -ClassName Win32_Share)) { $lines.Add("share $($one.Name) $($one.Path)") }
    foreach ($one in (Get-CimInstance -ClassName Win32_Printer)) { $lines.Add("printer $($one.Name)") }
    foreach ($one in (Get-ScheduledTask | Where-Object -FilterScript { $_.TaskPath -notlike '\Microsoft\*' })) {
        $lines.Add("task $($one.TaskPath)$($one.TaskName) $($one.Settings.Enabled)")
    }
    $sorted = $lines.ToArray()
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    return , $sorted
}

Function Write-Seal {
    # The list of checksums, on the share and here; what is told of it.
    param ([string]$Place, [string[]]$Lines)
    Write-Whole -Path "$Place\manifest.sha256" -Lines $Lines
    Write-Whole -Path "$store\manifest.sha256" -Lines $Lines
    return @{ manifest = (Get-TextDigest -Lines $Lines); entries = $Lines.Count }
}

Function Copy-Ahead {
    # While people work: what can be read now. A file that is in use, changes or goes meanwhile is left for later. The list
    # of checksums is of what was copied.
    param ([string]$Place)
    $noted = Read-Note -Name 'ahead.sha256'
    $copied = [ordered]@{}
    $later = 0
    foreach ($name in (Get-SeatFile)) {
        if ($copied.Contains($name)) { Stop-Seat -Cause 'names_collide' -Says "Two files differ in capitals only: $name" }
        try {
            $here = Get-Here -Name $name
            $sum = Get-Digest -Path $here
            $to = Join-Path -Path "$Place\files" -ChildPath $name.Replace('/', '\')
            if ($noted[$name] -eq $sum -or (Copy-Whole -From $here -To $to -Sum $sum)) { $copied[$name] = $sum } else { $later += 1 }
        }
        catch {
            # 2 and 3: gone; 32 and 33: in use. Everything else is told.
            if (@(2, 3, 32, 33) -notcontains ($_.Exception.GetBaseException().HResult -band 0xffff)) { throw }
            $later += 1
        }
    }
    Write-Note -Name 'ahead.sha256' -Of $copied
    $module.Result.changed = $true
    $lines = @($copied.Keys | ForEach-Object -Process { "$($copied[$_])  $_" })
    return (Write-Seal -Place $Place -Lines $lines) + @{ later = $later }
}

Function Save-Seat {
    # What was copied ahead with the same digest is not read over the network again: whoever puts it in place compares it.
    param ([string]$Place)
    $lines = Get-Manifest
    $wanted = Read-List -Lines $lines
    $noted = Read-Note -Name 'ahead.sha256'
    foreach ($name in $wanted.Keys) {
        if ($noted[$name] -eq $wanted[$name]) { continue }
        $to = Join-Path -Path "$Place\files" -ChildPath $name.Replace('/', '\')
        Copy-One -From (Get-Here -Name $name) -To $to -Sum $wanted[$name]
    }
    return Write-Seal -Place $Place -Lines $lines
}

Function Test-Placed {
    # Whether a file is as it was put here: in the last attempt, or in one that did not come to its end.
    param ([string]$Name, [Collections.IDictionary[]]$Notes)
    $sum = Get-Digest -Path (Get-Here -Name $Name)
    return @($Notes | Where-Object -FilterScript { $_[$Name] -eq $sum }).Count -gt 0
}

Function Restore-Seat {
    # Nothing of others is written over: equal files stay, what was put here earlier and is still so is replaced or, where it
    # is not wanted any more, removed. Anything else is a failure before anything is copied.
    param ([string]$Place)
    $wanted = Read-Manifest -Path "$Place\manifest.sha256"
    $notes = @((Read-Note -Name 'placed.sha256'), (Read-Note -Name 'coming.sha256'))
    $coming = [ordered]@{}
    $others = New-Object Collections.Generic.List[string]
    foreach ($name in $wanted.Keys) {
        $at = Get-Here -Name $name
        $ours = $notes[0].Contains($name) -or $notes[1].Contains($name)
        $lies = [IO.File]::Exists((Get-LongPath -Path $at))
        if (-not $ours -and [IO.File]::Exists((Get-LongPath -Path (Get-Part -Path $at)))) { $others.Add($name) }
        elseif ($lies -and -not (Test-Placed -Name $name -Notes (@($wanted) + $notes))) { $others.Add($name) }
        elseif ($ours -or -not $lies) { $coming[$name] = $wanted[$name] }
    }
    if ($others.Count) {
        $shown = ($others | Select-Object -First 3) -join '; '
        Stop-Seat -Cause 'target_not_empty' -Says "$($others.Count) files of others are in the way: $shown" -Facts @{ count = $others.Count }
    }
    # Before the first file: an undo must know what may have come.
    Write-Note -Name 'coming.sha256' -Of $coming
    foreach ($name in @($notes[0].Keys) + @($notes[1].Keys)) {
        if ($wanted.Contains($name)) { continue }
        $at = Get-Here -Name $name
        Remove-One -Path (Get-Part -Path $at)
        if ([IO.File]::Exists((Get-LongPath -Path $at)) -and (Test-Placed -Name $name -Notes $notes)) { Remove-One -Path $at }
    }
    foreach ($name in $wanted.Keys) {
        $from = Join-Path -Path "$Place\files" -ChildPath $name.Replace('/', '\')
        Copy-One -From $from -To (Get-Here -Name $name) -Sum $wanted[$name]
    }
    Write-Note -Name 'placed.sha256' -Of $coming
    [IO.File]::Delete("$store\coming.sha256")
    return @{ entries = $wanted.Count; placed = $coming.Count }
}

Function Remove-Placed {
    # Takes back what was put in place and is still as it was put; what people changed since stays and is told.
    $notes = @((Read-Note -Name 'placed.sha256'), (Read-Note -Name 'coming.sha256'))
    $changed = New-Object Collections.Generic.List[string]
    $removed = 0
    foreach ($name in (@($notes[0].Keys) + @($notes[1].Keys) | Select-Object -Unique)) {
        $at = Get-Here -Name $name
        Remove-One -Path (Get-Part -Path $at)
        if (-not [IO.File]::Exists((Get-LongPath -Path $at))) { continue }
        if (-not (Test-Placed -Name $name -Notes $notes)) { $changed.Add($name); continue }
        Remove-One -Path $at
        $module.Result.changed = $true
        $removed += 1
    }
    if ($changed.Count) {
        $shown = ($changed | Select-Object -First 3) -join '; '
        Stop-Seat -Cause 'foreign_files' -Says "$($changed.Count) files were changed since: $shown" -Facts @{ count = $changed.Count }
    }
    foreach ($note in @('placed.sha256', 'coming.sha256')) { [IO.File]::Delete("$store\$note") }
    return @{ removed = $removed }
}

Function Compare-Seat {
    param ([string]$Place)
    $wanted = Read-Manifest -Path "$Place\manifest.sha256"
    $said = New-Object Collections.Generic.List[string]
    foreach ($name in $wanted.Keys) {
        $at = Get-Here -Name $name
        if (-not [IO.File]::Exists((Get-LongPath -Path $at))) { $said.Add("missing: $name") }
        elseif ((Get-Digest -Path $at) -ne $wanted[$name]) { $said.Add("differs: $name") }
    }
    if ($said.Count) {
        $shown = ($said | Select-Object -First $module.Params.limit)
        Stop-Seat -Cause 'manifest_differs' -Says "$($said.Count) of $($wanted.Count) files differ." -Facts @{ differences = @($shown) }
    }
    return @{ equal = $true; entries = $wanted.Count }
}

Function Compare-Portrait {
    $before = [IO.File]::ReadAllLines("$store\portrait.txt")
    $now = Get-Portrait
    $said = @(Compare-Object -ReferenceObject @($before) -DifferenceObject @($now) | ForEach-Object -Process { "$($_.SideIndicator) $($_.InputObject)" })
    return @{
        baseline = (Get-TextDigest -Lines $before)
        now = (Get-TextDigest -Lines $now)
        differences = @($said | Select-Object -First $module.Params.limit)
        difference_count = $said.Count
    }
}

Function Remove-Saved {
    param ([string]$Place)
    Remove-One -Path "$store\ahead.sha256"
    if ([IO.Directory]::Exists((Get-LongPath -Path $Place))) {
        [IO.Directory]::Delete((Get-LongPath -Path $Place), $true)
        $module.Result.changed = $true
    }
    return @{ forgotten = $true }
}

$module.Result.changed = $false
if ($asset -notmatch '^[a-z0-9][a-z0-9-]{0,63}$') { Stop-Seat -Cause 'bad_asset' -Says 'The asset id is no plain word.' }
if ($folders -and (Test-Folder -Folders $folders)) { Stop-Seat -Cause 'server_not_described' -Says (Test-Folder -Folders $folders) }
try {
    if ($module.Params.share) { Connect-Share -Of $module.Params }
    $place = "$($module.Params.share)\$asset"
    $module.Result.kahn = switch ($module.Params.state) {
        'looked' {
            $people = Get-LoggedOn
            if ($people) { Stop-Seat -Cause 'source_busy' -Says "$people people are logged on." -Facts @{ people = $people } }
            @{ people = 0; entries = (Get-SeatFile).Count }
        }
        'taken' {
            $lines = Get-Portrait
            Write-Whole -Path "$store\portrait.txt" -Lines $lines
            @{ baseline = (Get-TextDigest -Lines $lines) }
        }
        'unchanged' { Compare-Portrait }
        'ahead' { Copy-Ahead -Place $place }
        'told' { @{ manifest = (Get-TextDigest -Lines ([IO.File]::ReadAllLines("$store\manifest.sha256"))) } }
        'saved' { Save-Seat -Place $place }
        'forgotten' { Remove-Saved -Place $place }
        'restored' { Restore-Seat -Place $place }
        'compared' { Compare-Seat -Place $place }
        'removed' { Remove-Placed }
    }
}
catch [IO.IOException] {
    $full = ($_.Exception.HResult -band 0xffff) -in 39, 112
    Stop-Seat -Cause $(if ($full) { 'disk_full' } else { 'os_error' }) -Says $_.Exception.Message
}
catch [UnauthorizedAccessException] { Stop-Seat -Cause 'permission_denied' -Says $_.Exception.Message }
finally { if ($module.Params.share) { Disconnect-Share -Of $module.Params } }
$module.ExitJson()
